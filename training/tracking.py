"""MLflow: runs, their figures and files, and the registry's champion. Nothing else in the program speaks to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

EXPERIMENT = "rettid"
MODEL = "next-best-action"


class UnknownRun(LookupError):
    """No finished run has that name."""


@dataclass(frozen=True)
class Recorded:
    """A run as it was recorded."""

    run_id: str
    name: str
    started_ms: int
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Tracking:
    """The store of a workspace: `runs.db` and `mlruns/` inside it."""

    workspace: Path

    @property
    def uri(self) -> str:
        """Address of the store, for `mlflow ui --backend-store-uri`."""
        return f"sqlite:///{(self.workspace / 'runs.db').resolve()}"

    def client(self) -> MlflowClient:
        """A client of this workspace's store and registry."""
        self.workspace.mkdir(parents=True, exist_ok=True)
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @contextmanager
    def run(self, name: str, *, params: Mapping[str, str], tags: Mapping[str, str]) -> Iterator[str]:
        """A run that is open inside the block; gives its id. It is marked failed where the block raises."""
        client = self.client()
        experiment = client.get_experiment_by_name(EXPERIMENT)
        artifacts = (self.workspace / "mlruns").resolve().as_uri()
        number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT, artifacts)
        run: Run = client.create_run(number, run_name=name, tags=dict(tags))
        run_id: str = run.info.run_id
        for key, value in params.items():
            client.log_param(run_id, key, value)
        try:
            yield run_id
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")

    def record(self, run_id: str, *, metrics: Mapping[str, float], bundle: Path, pictures: Mapping[str, str]) -> None:
        """Figures, the bundle's files, and pictures (file name to SVG) of a run."""
        client = self.client()
        for name, value in metrics.items():
            client.log_metric(run_id, name, value)
        client.log_artifacts(run_id, str(bundle), "bundle")
        for name, text in pictures.items():
            client.log_text(run_id, text, name)

    def runs(self) -> list[Recorded]:
        """Finished runs, newest first."""
        client = self.client()
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return []
        found = client.search_runs([experiment.experiment_id], "attributes.status = 'FINISHED'", max_results=1_000)
        return [_recorded(run) for run in found]

    def register(self, run_id: str, *, alias: str) -> str:
        """Make a run's bundle the registry's `champion` or `challenger`; gives the version."""
        client = self.client()
        if not client.search_registered_models(f"name = '{MODEL}'"):
            client.create_registered_model(MODEL)
        known = client.search_model_versions(f"name = '{MODEL}' and run_id = '{run_id}'")
        source = f"{client.get_run(run_id).info.artifact_uri}/bundle"
        version = known[0].version if known else client.create_model_version(MODEL, source, run_id).version
        client.set_registered_model_alias(MODEL, alias, version)
        return str(version)


def _recorded(run: Run) -> Recorded:
    info, content = run.info, run.data
    return Recorded(info.run_id, info.run_name, info.start_time, content.metrics, content.params, content.tags)


def named(runs: list[Recorded], name: str) -> Recorded:
    """The run whose id begins with `name`, or whose name it is (the newest of that name).

    Raises
    ------
    UnknownRun
        There is none.
    """
    for run in runs:
        if run.name == name or (len(name) >= 4 and run.run_id.startswith(name)):
            return run
    known = ", ".join(f"{run.name} ({run.run_id[:8]})" for run in runs[:10]) or "none yet"
    raise UnknownRun(f"no run '{name}': there are {known}")
