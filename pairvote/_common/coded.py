"""A column as codes, which is what every reader of columns gives and every counter of votes takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import Locate, row_number
from pairvote.errors import InputError


class Coded(NamedTuple):
    """A column as codes into its entries, int32, shape (n_rows,); -1 where a value is missing.

    `labels` is a sequence of labels, or an array of int32: the numbers that the entries have in a larger numbering.
    """

    codes: NDArray[np.int32]
    labels: Any

    def spread(self) -> Any:
        """The number of every row, for entries that stand for numbers."""
        return self.labels[self.codes]

    def has_gaps(self, name: str, locate: Locate = row_number) -> bool:
        """Whether a value is missing; InputError for a code that picks none of the labels."""
        codes, n_labels = self.codes, len(self.labels)
        # Seen as unsigned, -1 is larger than any place among labels: one look at most columns is enough.
        if not len(codes) or int(codes.view(np.uint32).max()) < n_labels:
            return False
        _refuse(codes, (codes < -1) | (codes >= n_labels), n_labels, name, locate)
        return True


def own_codes(
    codes: NDArray[np.integer[Any]],
    n_labels: int,
    name: str,
    locate: Locate = row_number,
    *,
    missing: NDArray[np.bool_] | None = None,
    gaps: bool = False,
    copy: bool = True,
) -> NDArray[np.int32]:
    """A checked copy of codes that somebody else made and may still change; -1 in the rows that are `missing`.

    With `gaps`, the code -1 is a missing value as well. Without `copy`, int32 codes that are ours stay in place.

    Raises
    ------
    InputError
        For a code that picks none of the labels, naming its row.
    """
    is_short = codes.dtype.kind == "i" and codes.itemsize <= 4
    own: NDArray[np.signedinteger[Any]] = codes.astype(
        np.int32 if is_short else np.int64, copy=copy or missing is not None
    )
    if len(own) and int(own.view(np.uint32 if is_short else np.uint64).max()) >= n_labels:
        wrong = (own < (-1 if gaps else 0)) | (own >= n_labels)
        _refuse(own, wrong if missing is None else wrong & ~missing, n_labels, name, locate)
    if missing is not None:
        own[missing] = -1
    return own.astype(np.int32, copy=False)


def _refuse(
    codes: NDArray[np.signedinteger[Any]], wrong: NDArray[np.bool_], n_labels: int, name: str, locate: Locate
) -> None:
    """InputError for the first of the wrong codes, if there are any."""
    if wrong.any():
        row = int(np.argmax(wrong))
        where = locate(row)
        raise InputError(
            f"{name} at {where} has the index {codes[row]}, which picks none of the {n_labels} labels of its column",
            value=int(codes[row]),
            where=where,
            remedy="make the column anew from the labels themselves",
        )
