"""Build and run the image without a container engine: the Dockerfile's steps in folders.

Each stage is a folder that stands for its root file system; absolute paths in the steps are read
as paths in it. The result then runs as the Dockerfile's user, who may write its volume only.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.container.dockerfile import Instruction, Stage, allowed, parse

_PATHS = re.compile(r"(?<![\w./:-])/(?=(?:opt|build|data)\b)")
"""Paths that are the image's own; others (/usr/bin, /bin/sh) are the host's."""

_PASSED_ON = re.compile(r"(?i)^(PIP_.*|.*_proxy|SSL_CERT_.*|REQUESTS_CA_BUNDLE)$")
"""What reaches the build from outside, as an engine passes proxies and package indexes on."""


@dataclass
class Image:
    """A built image: the folder of its root, its last stage, and who runs it."""

    root: Path
    stage: Stage
    python: Path
    uid: int | None
    """The user to run as; None: the current one, who is not root and cannot become another."""

    @property
    def volume(self) -> Path:
        declared = self.stage.last("VOLUME")
        assert declared is not None
        return self.root / declared.words()[0].lstrip("/")

    def run(
        self, words: Sequence[str], *, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the image with its ENV, WORKDIR and USER and nothing else."""
        env = {name: self.inside(value) for name, value in self.stage.env().items()}
        where = self.stage.last("WORKDIR")
        assert where is not None
        return subprocess.run(
            words,
            cwd=self.inside(where.rest),
            env=env,
            executable=shutil.which(words[0], path=env["PATH"]),
            user=self.uid,
            group=self.uid,
            extra_groups=None if self.uid is None else [],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the entry point with these arguments, else with the image's own."""
        entry, default = self.stage.last("ENTRYPOINT"), self.stage.last("CMD")
        assert entry is not None
        assert default is not None
        return self.run([*entry.words(), *(arguments or default.words())])

    def inside(self, text: str) -> str:
        return rebase(text, self.root)


@dataclass
class Builder:
    """Performs stages, one after the other, in `folder`; `context` is only read."""

    context: Path
    folder: Path
    python: Path
    built: dict[str, Path] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def build(self, stages: Sequence[Stage], uid: int | None) -> Image:
        # Every stage is built at the same place, as in an engine, because a virtual environment
        # knows its own path; what is done is moved aside.
        root = self.folder / "root"
        for stage in stages:
            if root.exists():
                kept = self.folder / f"stage-{len(self.built)}"
                root.rename(kept)
                self.built[stages[len(self.built)].name] = kept
            root.mkdir()
            self._perform(stage, root)
        image = Image(root, stages[-1], self.python, uid)
        _forbid_writing(root, besides=image.volume)
        return image

    def _perform(self, stage: Stage, root: Path) -> None:
        env = self._outside()
        cwd = root
        for step in stage.instructions:
            self.log.append(f"{step.name} {step.rest}")
            match step.name:
                case "ENV":
                    for word in step.words():
                        name, _, value = word.partition("=")
                        if name not in {"PATH", "HOME", "TMPDIR"}:  # the build's stay the host's
                            env[name] = rebase(value, root)
                case "WORKDIR":
                    cwd = Path(rebase(step.rest, root))
                    cwd.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy(step, root, cwd)
                case "RUN":
                    subprocess.run(
                        ["/bin/sh", "-ec", rebase(step.rest, root)],
                        cwd=cwd,
                        env=env,
                        check=True,
                        timeout=600,
                    )
                case _:
                    pass  # says how the image runs, not how it is built

    def _outside(self) -> dict[str, str]:
        tools = self.folder / "tools"
        tools.mkdir(exist_ok=True)
        if not (tools / "python").exists():
            (tools / "python").symlink_to(self.python)
            if os.geteuid() != 0:  # nobody else may give files away
                (tools / "chown").symlink_to("/bin/true")
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        env = {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
        return env | {"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home)}

    def _copy(self, step: Instruction, root: Path, cwd: Path) -> None:
        options, words = step.options()
        *sources, target = words
        to = Path(rebase(target, root)) if target.startswith("/") else cwd / target
        several = target.endswith("/") or len(sources) > 1
        if several:
            to.mkdir(parents=True, exist_ok=True)
        ignored = (self.context / ".dockerignore").read_text(encoding="utf-8")
        for source in sources:
            if "from" in options:
                origin = Path(rebase(source, self.built[options["from"]]))
            elif allowed(source, ignored):
                origin = self.context / source
            else:
                raise ValueError(f"COPY {source}: .dockerignore keeps it out of the build")
            if origin.is_dir():
                skip = shutil.ignore_patterns("__pycache__") if "from" not in options else None
                shutil.copytree(origin, to, symlinks=True, dirs_exist_ok=True, ignore=skip)
            else:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, to / origin.name if several else to)


def rebase(text: str, root: Path) -> str:
    """Read the image's absolute paths in `text` as paths below `root`."""
    return _PATHS.sub(f"{root}/", text)


def _forbid_writing(root: Path, *, besides: Path) -> None:
    for folder, names, files in os.walk(root):
        here = Path(folder)
        if here == besides:
            names.clear()
            continue
        for path in [here, *(here / name for name in files)]:
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)


def usable_python(uid: int | None) -> Path | None:
    """A Python in opsync's range with `venv` that this user may run; None if there is none."""
    own = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    names = ("python3.13", "python3.12", "python3.11", "python3")
    system = (Path(folder) / name for folder in ("/usr/local/bin", "/usr/bin") for name in names)
    test = "import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
    for path in (own, *system):
        try:
            done = subprocess.run([path, "-c", test], user=uid, group=uid, check=False, cwd="/")
        except OSError:
            continue
        if done.returncode == 0:
            return path
    return None


def user_of(stage: Stage) -> int | None:
    """The uid that the image runs as, if this process may become it."""
    user = stage.last("USER")
    assert user is not None
    return int(user.rest.partition(":")[0]) if os.geteuid() == 0 else None


def build(context: Path, folder: Path) -> Image | None:
    """Build the image of the Dockerfile in `context`; None without a Python for its user."""
    stages = parse((context / "Dockerfile").read_text(encoding="utf-8"))
    uid = user_of(stages[-1])
    python = usable_python(uid)
    if python is None:
        return None
    return Builder(context, folder, python).build(stages, uid)
