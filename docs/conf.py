"""How Sphinx builds these pages: `make docs`."""

import pairvote

project = "pairvote"
author = "The pairvote developers"
copyright = "The pairvote developers"
version = release = pairvote.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "pairvote"
nitpicky = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
