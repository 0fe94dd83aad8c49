from pairvote import datasets as datasets
from pairvote import diagnostics as diagnostics
from pairvote import errors as errors
from pairvote import plotting as plotting
from pairvote import sampling as sampling
from pairvote._config import show_config as show_config
from pairvote.counts import PairCounts as PairCounts
from pairvote.errors import ConvergenceError as ConvergenceError
from pairvote.errors import InputError as InputError
from pairvote.errors import MissingUncertaintyError as MissingUncertaintyError
from pairvote.errors import NotIdentifiedError as NotIdentifiedError
from pairvote.errors import PairvoteError as PairvoteError
from pairvote.errors import StateError as StateError
from pairvote.errors import StorageError as StorageError
from pairvote.io import read_votes as read_votes
from pairvote.io import write_votes as write_votes
from pairvote.ranking import Agreement as Agreement
from pairvote.ranking import Fit as Fit
from pairvote.ranking import Interval as Interval
from pairvote.ranking import Ranking as Ranking
from pairvote.scoring.bootstrap import bootstrap as bootstrap
from pairvote.scoring.bradley_terry import bradley_terry as bradley_terry
from pairvote.scoring.elo import EloRatings as EloRatings
from pairvote.scoring.elo import elo as elo
from pairvote.scoring.luce import luce as luce
from pairvote.scoring.methods import rank as rank
from pairvote.scoring.tally import tally as tally
from pairvote.scoring.tally import win_rate as win_rate
from pairvote.votes import Outcome as Outcome
from pairvote.votes import Votes as Votes

__version__: str
__all__: list[str]
