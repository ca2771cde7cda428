"""The languages of the texts that opsync writes into other tools, and the words in force.

A language is a file of templates and words beside this module; the configuration changes single
ones of them. Pure: the files are part of the program.
"""

from opsync.languages.own import OwnWords
from opsync.languages.spec import Field, TextSpec
from opsync.languages.template import Template, TemplateError, compile_template
from opsync.languages.texts import DATE, TEXTS
from opsync.languages.words import ENGLISH, LANGUAGES, Changed, Words, words_of

__all__ = [
    "DATE",
    "ENGLISH",
    "LANGUAGES",
    "TEXTS",
    "Changed",
    "Field",
    "OwnWords",
    "Template",
    "TemplateError",
    "TextSpec",
    "Words",
    "compile_template",
    "words_of",
]
