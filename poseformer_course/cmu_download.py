"""A selection of CMU's motion capture, fetched from its site: everyday actions, sports, dances, gaits.

CMU asks not to be crawled and offers one archive of everything. This takes some 200 of 2,600 takes, one after another.
"""

from pathlib import Path

import pooch
from tqdm.auto import tqdm

from poseformer_lite.files import atomic_path
from poseformer_lite.formats.asfamc import read_amc, read_asf

SITE = "http://mocap.cs.cmu.edu/subjects"

# Chosen by CMU's index for variety: one person at a time, on their feet for most of the take, no calibrations; and
# all that the shipped weights were trained on and tested with that comes in this format.
CHOSEN = {
    2: tuple(range(1, 11)), 3: (1, 2, 3, 4), 5: (1, 2, 6, 13, 18), 6: (1, 10, 13, 15), 7: (1, 2, 3, *range(6, 12)),
    8: (1, 2, 3, 4, 6, 8, 9, 10), 9: (1, 12), 10: (1, 5), 12: (2, 4),
    13: (1, 4, 8, 10, 14, 17, 21, 24, 27, 29), 14: (1, 6, 13, 18, 25, 30), 15: (1, 4, 12), 16: (3, 8, 19, 37),
    17: (1, 3, 5, 8), 32: (1, 2), 35: (1, 2, 5, *range(7, 17), *range(28, 35)), 39: (*range(1, 10), 12, 13, 14),
    49: (1,), 56: (7, 8), 60: (5, 12), 62: (3, 7, 14, 21), 64: (1, 12, 26), 69: (6, 13, 34, 44, 70),
    74: (3, 10), 75: (4, 8, 13, 17, 20), 77: (3, 9, 14, 19), 79: (1, 4, 8, 12, 17, 31, 37, 55, 86, 91),
    80: (3, 14, 22, 36), 82: (5, 9, 10), 83: (27, 40, 54), 86: (1, 2, 3), 124: (1, 3, 6, 7, 9), 127: (4, 17, 25),
    132: (16, 29, 42, 54), 135: (1, 4, 7), 136: (9, 17, 27), 137: (1, 5, 13, 24), 138: (1, 11), 139: (5, 19, 25, 29),
    141: (10, 12, 13, 14, 17, 32), 143: (4, 10, 18, 20, 23, 26, 35), 144: (5, 13, 28, 30),
}  # fmt: skip


def fetch_cmu(
    folder: str | Path, chosen: dict[int, tuple[int, ...]] = CHOSEN, site: str = SITE, progress: bool = True
) -> list[Path]:
    """Fetch skeletons and takes into folder/SUBJECT/, which `load_dataset("cmu_mocap", root=folder)` reads.

    chosen: {subject: numbers of takes}. What is there already stays, so a stopped run goes on when it is repeated. CMU
    publishes no checksums: each file is read before it takes its place. Raises OSError where the site does not answer,
    and ValueError where it sends something else than motion capture; what came before is kept. Gives the files.
    """
    folder = Path(folder)
    wanted = [
        Path(f"{subject:02}") / name
        for subject, takes in chosen.items()
        for name in (f"{subject:02}.asf", *(f"{subject:02}_{take:02}.amc" for take in takes))
    ]
    for name in tqdm(wanted, desc="CMU motion capture", unit="file", disable=not progress):
        if not (folder / name).is_file():
            _fetch(f"{site}/{name.as_posix()}", folder / name)
    return [folder / name for name in wanted]


def _fetch(address: str, path: Path) -> None:
    with atomic_path(path) as part:
        try:
            pooch.HTTPDownloader()(address, str(part), None)
        except OSError as error:  # of which those of the library are a kind
            raise OSError(f"{address} cannot be fetched ({error}): run this again to go on where it stopped") from error
        try:
            if path.suffix == ".asf":
                read_asf(part)
            else:
                read_amc(part, read_asf(path.parent / f"{path.parent.name}.asf"))
        except ValueError as error:
            raise ValueError(f"{address} is not motion capture ({error}): the site may have changed") from error
