"""The files below a folder, each once, whatever links there are."""

from __future__ import annotations

import os
from pathlib import Path

from pairvote.io._bytes import displayed, unreadable
from pairvote.votes._report import Report


def files_below(folder: Path, report: Report) -> list[Path]:
    """Paths of the files, within the folder; hidden files and notes of the writing program are left out.

    Links are followed. What is reached in several ways is taken once, by its own path before a link; the report says
    which links were left out.
    """

    def refuse(error: OSError) -> None:
        raise unreadable(displayed(error.filename or folder), error) from error

    folders: set[str] = set()
    files: dict[str, Path] = {}
    links: list[Path] = []
    waiting = [folder]
    while waiting:
        # What is no link comes first, so that it is known when a link to it is met.
        further: list[Path] = []
        for start in waiting:
            if os.path.realpath(start) in folders:
                _say(start, report)
                continue
            for root, below, names in os.walk(start, onerror=refuse):
                folders.add(os.path.realpath(root))
                inner = [Path(root, name) for name in below if _is_shown(name)]
                further += [path for path in inner if path.is_symlink()]
                below[:] = [
                    path.name for path in inner if not path.is_symlink() and os.path.realpath(path) not in folders
                ]
                for path in (Path(root, name) for name in names if _is_shown(name)):
                    if path.is_symlink():
                        links.append(path)
                    else:
                        files[os.path.realpath(path)] = path
        waiting = sorted(further)
    for path in sorted(links):
        if files.setdefault(os.path.realpath(path), path) is not path:
            _say(path, report)
    return [path.relative_to(folder) for path in files.values()]


def _is_shown(name: str) -> bool:
    return not name.startswith((".", "_"))


def _say(path: Path, report: Report) -> None:
    report.remark(f"{displayed(path)} is a link to what is read already, and is left out")
