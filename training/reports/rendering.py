"""Pages from templates: one HTML file with its style sheets inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from training.reports.drawing import dark_rules


def rendered(template: str, values: Mapping[str, object], *, styles: Sequence[str]) -> str:
    """HTML of a template of this package.

    Parameters
    ----------
    template
        File under `templates/`.
    values
        What the template names; a name that is missing is an error.
    styles
        Style sheets under `templates/`, given to the template as `css`, with the dark colours of drawings.
    """
    folder = files("training.reports").joinpath("templates")
    loader = FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8"))
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    sheets = "\n".join(folder.joinpath(name).read_text(encoding="utf-8").rstrip("\n") for name in styles)
    sheets = f"{sheets}\n{dark_rules()}\n"
    css = Markup(sheets)  # noqa: S704 - our own files
    return environment.get_template(template).render(**values, css=css)
