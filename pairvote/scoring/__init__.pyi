from pairvote.scoring._bootstrap import bootstrap as bootstrap
from pairvote.scoring._bradley_terry import bradley_terry as bradley_terry
from pairvote.scoring._cross_validate import cross_validate as cross_validate
from pairvote.scoring._cross_validation import CrossValidation as CrossValidation
from pairvote.scoring._elo import elo as elo
from pairvote.scoring._elo_ratings import EloRatings as EloRatings
from pairvote.scoring._glicko import glicko2 as glicko2
from pairvote.scoring._luce import luce as luce
from pairvote.scoring._majority import Majority as Majority
from pairvote.scoring._methods import rank as rank
from pairvote.scoring._pagerank import pagerank as pagerank
from pairvote.scoring._tally import tally as tally
from pairvote.scoring._tally import win_rate as win_rate
from pairvote.scoring._who_beats_whom import majority as majority

__all__: list[str]
