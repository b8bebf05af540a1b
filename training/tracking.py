"""MLflow: runs, their figures and files, and the registry's champion. Nothing else in the program speaks to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.tracking import MlflowClient

EXPERIMENT = "rettid"
TUNING = "rettid-tuning"
MODEL = "next-best-action"
PARENT = "mlflow.parentRunId"
"""Tag by which MLflow shows a run below another."""

LONGEST_TAG = 4_000


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
class DataUsed:
    """Which data a run learnt from: name, hash of its rows, where it came from, and figures of it by name."""

    name: str
    digest: str
    source: str
    profile: Mapping[str, int]


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
    def run(
        self, name: str, *, params: Mapping[str, str], tags: Mapping[str, str], experiment: str = EXPERIMENT
    ) -> Iterator[str]:
        """A run that is open inside the block; gives its id. It is marked failed where the block raises."""
        client = self.client()
        run: Run = client.create_run(self._experiment(experiment), run_name=name, tags=dict(tags))
        run_id: str = run.info.run_id
        client.log_batch(run_id, params=[Param(key, value) for key, value in params.items()])
        try:
            yield run_id
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")

    def _experiment(self, name: str) -> str:
        client = self.client()
        found = client.get_experiment_by_name(name)
        artifacts = (self.workspace / "mlruns").resolve().as_uri()
        return str(found.experiment_id if found else client.create_experiment(name, artifacts))

    def record(self, run_id: str, *, metrics: Mapping[str, float], bundle: Path, pictures: Mapping[str, str]) -> None:
        """Figures, the bundle's files, and pictures (file name to SVG) of a run."""
        client = self.client()
        self.figures(run_id, metrics)
        client.log_artifacts(run_id, str(bundle), "bundle")
        for name, text in pictures.items():
            client.log_text(run_id, text, name)

    def figures(self, run_id: str, metrics: Mapping[str, float], *, tags: Mapping[str, str] | None = None) -> None:
        """Numbers and tags of a run, written at once."""
        client = self.client()
        when_ms = client.get_run(run_id).info.start_time
        numbers = [Metric(name, value, when_ms, 0) for name, value in metrics.items()]
        told = [RunTag(name, value[:LONGEST_TAG]) for name, value in (tags or {}).items()]
        client.log_batch(run_id, metrics=numbers, tags=told)

    def keep(self, run_id: str, folder: Path, *, place: str) -> None:
        """The files of a folder, under a name among the run's files."""
        self.client().log_artifacts(run_id, str(folder), place)

    def text(self, run_id: str, name: str, text: str) -> None:
        """One file of a run."""
        self.client().log_text(run_id, text, name)

    def kept(self, run_id: str, name: str) -> Path | None:
        """A file of a run by its place and name, None where there is none; also where the workspace was moved to."""
        recorded = Path(unquote(urlsplit(self.client().get_run(run_id).info.artifact_uri).path))
        places = (self.workspace / "mlruns" / run_id / "artifacts" / name, recorded / name)
        return next((path for path in places if path.is_file()), None)

    def used(self, run_id: str, data: DataUsed) -> None:
        """Note which data a run learnt from."""
        dataset = Dataset(
            data.name, data.digest, "local", json.dumps({"uri": data.source}), profile=json.dumps(dict(data.profile))
        )
        self.client().log_inputs(
            run_id, datasets=[DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
        )

    def study(self, name: str, *, params: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """The run that stands for a study, made on first use; its trials are runs below it."""
        client, experiment = self.client(), self._experiment(TUNING)
        found = client.search_runs([experiment], f"tags.study = '{name}' and tags.kind = 'study'", max_results=1)
        if found:
            return str(found[0].info.run_id)
        with self.run(name, params=params, tags={**tags, "study": name, "kind": "study"}, experiment=TUNING) as run_id:
            return run_id

    def trials(self, study_id: str) -> frozenset[str]:
        """Numbers of a study's trials that stand below it already."""
        found = self.client().search_runs(
            [self._experiment(TUNING)], f"tags.`{PARENT}` = '{study_id}'", max_results=10_000
        )
        return frozenset(run.data.tags["trial"] for run in found)

    def trial(
        self, study_id: str, number: int, *, params: Mapping[str, str], metrics: Mapping[str, float], state: str
    ) -> None:
        """One trial of a study: its settings, its figures and how it ended; no model."""
        tags = {PARENT: study_id, "trial": str(number), "state": state}
        with self.run(f"trial {number}", params=params, tags=tags, experiment=TUNING) as run_id:
            self.figures(run_id, metrics)

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
