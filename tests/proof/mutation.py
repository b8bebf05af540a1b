"""Small mistakes in a module, one at a time: each changes one place of its syntax tree, and says which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMED = {
    "any": "all", "all": "any", "min": "max", "max": "min", "maximum": "minimum", "minimum": "maximum",
    "logical_or": "logical_and", "logical_and": "logical_or", "union": "intersection",
}  # fmt: skip
SYMMETRIC = {"maximum", "minimum", "min", "max", "union1d", "zip", "combinations"}
"""Functions of which swapping two arguments is no mistake, or shows at once."""


@dataclass(frozen=True)
class Mutant:
    """A module with one mistake; `name` is the same as long as the line it stands in is."""

    module: str
    line: int
    name: str
    tree: ast.Module


def mutants(module: str, source: str) -> list[Mutant]:
    """Every mistake that can be made in a module, in the order of its lines."""
    tree = ast.parse(source)
    lines = source.splitlines()
    found: list[Mutant] = []
    seen: dict[str, int] = {}
    for number, node in enumerate(_nodes(tree)):
        for what, change in _changes(node):
            told = f"{lines[node.lineno - 1].strip()}  |  {what}"
            seen[told] = seen.get(told, 0) + 1
            name = told if seen[told] == 1 else f"{told} ({seen[told]})"
            found.append(Mutant(module, node.lineno, name, _changed(tree, number, change)))
    return found


def _nodes(tree: ast.AST) -> list[ast.expr | ast.stmt]:
    """Nodes that may be changed: no annotations, no decorators, no texts of documentation, no aliases of types."""
    found: list[ast.expr | ast.stmt] = []

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.expr | ast.stmt):
            found.append(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list") or _is_alias(node):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    walk(child)

    walk(tree)
    return found


def _is_alias(node: ast.AST) -> bool:
    """A name with a capital for a type: it exists for the type checker alone."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    return isinstance(target, ast.Name) and target.id[0].isupper() and not target.id.isupper()


Change = tuple[str, object]


def _changes(node: ast.expr | ast.stmt) -> Iterator[tuple[str, Change]]:
    """What can be done to a node: a word for it, and a field with its new value; the field "self" is the node itself."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in COMPARED[type(operator)]:
                ops = [other() if number == place else one for number, one in enumerate(node.ops)]
                yield f"{type(operator).__name__} becomes {other.__name__}", ("ops", ops)
    elif isinstance(node, ast.BoolOp):
        other_op = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"becomes {other_op.__name__}", ("op", other_op())
    elif isinstance(node, ast.UnaryOp):
        yield f"{type(node.op).__name__} left out", ("self", node.operand)
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in COUNTED:
        yield f"{type(node.op).__name__} becomes {COUNTED[type(node.op)].__name__}", ("op", COUNTED[type(node.op)]())
    if isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.IfExp):
        yield "cases swapped", ("self", ast.IfExp(node.test, node.orelse, node.body))
    yield from _removals(node)


def _constants(node: ast.Constant) -> Iterator[tuple[str, Change]]:
    if isinstance(node.value, bool):
        yield f"{node.value} becomes {not node.value}", ("value", not node.value)
    elif isinstance(node.value, int):
        for value in (node.value + 1, node.value - 1):
            yield f"{node.value} becomes {value}", ("value", value)


def _calls(node: ast.Call) -> Iterator[tuple[str, Change]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in NAMED:
        func = deepcopy(node.func)
        setattr(func, "attr" if isinstance(func, ast.Attribute) else "id", NAMED[name])
        yield f"{name} becomes {NAMED[name]}", ("func", func)
    for place, keyword in enumerate(node.keywords if name == "Barred" else []):
        yield f"{keyword.arg} left out", ("keywords", node.keywords[:place] + node.keywords[place + 1 :])
    if len(node.args) > 1 and name not in SYMMETRIC and not any(isinstance(one, ast.Starred) for one in node.args):
        *others, second, last = node.args
        if ast.dump(second) != ast.dump(last):
            yield f"last two arguments of {name} swapped", ("args", [*others, last, second])


def _removals(node: ast.expr | ast.stmt) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.AugAssign | ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield "statement left out", ("self", ast.Pass())
    elif isinstance(node, ast.Continue):
        yield "continue becomes break", ("self", ast.Break())


def _changed(tree: ast.Module, number: int, change: Change) -> ast.Module:
    """A copy of the tree with one node changed."""
    other = deepcopy(tree)
    node, (name, value) = _nodes(other)[number], change
    if name != "self":
        setattr(node, name, value)
        return ast.fix_missing_locations(other)

    class Swap(ast.NodeTransformer):
        def visit(self, one: ast.AST) -> ast.AST:
            return ast.copy_location(value, one) if one is node else self.generic_visit(one)  # type: ignore[type-var] # an AST

    return ast.fix_missing_locations(Swap().visit(other))
