"""`[wording]`: the texts that opsync writes into other tools: language, dates, single templates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, create_model, model_validator

from opsync.blocks.base import Block
from opsync.languages import DATE, TEXTS, Changed, TextSpec, Words, compile_template, words_of
from opsync.languages.spec import field_names
from opsync.languages.template import check_plain
from opsync.model import Category, Health

WORD_LIMIT = 100
"""Characters of a health or a status: Notion's options take no more."""


def _date(source: str) -> str:
    compile_template(source, field_names(DATE))
    return _said(source)


def _said(source: str) -> str:
    if not source.strip():
        raise ValueError("is empty")
    return source


def _separator(text: str) -> str:
    check_plain(text, 20)
    return _said(text)


def _word(text: str) -> str:
    check_plain(text, WORD_LIMIT)
    if "," in text:
        raise ValueError("has a comma, which ends an option's name in Notion")
    return _said(text).strip()


def _template_of(spec: TextSpec) -> AfterValidator:
    def check(source: str) -> str:
        compile_template(source, spec.names)
        return source if spec.drop else _said(source)

    return AfterValidator(check)


def _texts() -> dict[str, Any]:
    return {
        spec.name: (
            Annotated[str, _template_of(spec)] | None,
            Field(default=None, description=f"{spec.about} Fields: {_listed(spec)}."),
        )
        for spec in TEXTS.values()
    }


def _listed(spec: TextSpec) -> str:
    return ", ".join(f"{{{name}}}" for name in spec.names) or "none"


def _words(what: str, names: Iterable[str]) -> dict[str, Any]:
    one = Annotated[str, AfterValidator(_word)] | None
    return {name: (one, Field(default=None, description=f"{what} `{name}`.")) for name in names}


if TYPE_CHECKING:

    class TextsBlock(Block):
        """`[wording.texts]`: single templates instead of the language's."""

    class HealthBlock(Block):
        """`[wording.health]`: single words for healths."""

    class StatusBlock(Block):
        """`[wording.status]`: single words for status categories."""

else:
    TextsBlock = create_model("TextsBlock", __base__=Block, **_texts())
    HealthBlock = create_model(
        "HealthBlock", __base__=Block, **_words("The health", Health.__members__)
    )
    StatusBlock = create_model(
        "StatusBlock", __base__=Block, **_words("The status category", Category.__members__)
    )


class WordingBlock(Block):
    """`[wording]`: the texts that are written into other tools. Days begin in `time_zone`."""

    language: Literal["en", "de"] = "en"
    """The language of all texts."""

    date_format: Annotated[str, AfterValidator(_date)] | None = None
    """How a day is written, with {day}, {month} and the like."""

    date_format_year: Annotated[str, AfterValidator(_date)] | None = None
    """How a day of another year is written."""

    separator: Annotated[str, AfterValidator(_separator)] | None = None
    """What is written between the parts of a text; in templates " · " stands there."""

    texts: TextsBlock = Field(default_factory=TextsBlock)
    """Single templates instead of the language's."""

    health: HealthBlock = Field(default_factory=HealthBlock)
    """Single words for the health, as it stands alone."""

    health_inline: HealthBlock = Field(default_factory=HealthBlock)
    """The same within a text. Left out: the word above with a small first letter."""

    status: StatusBlock = Field(default_factory=StatusBlock)
    """Single words for the status category, as it stands alone."""

    status_inline: StatusBlock = Field(default_factory=StatusBlock)
    """The same within a text. Left out: the word above with a small first letter."""

    @model_validator(mode="after")
    def _tells_healths_apart(self) -> Self:
        taken: dict[str, str] = {}
        for health, word in self.words().health.items():
            other = taken.setdefault(word.casefold(), health.name)
            if other != health.name:
                raise ValueError(f'health: "{word}" would be both {other} and {health.name}')
        return self

    def words(self) -> Words:
        """The words in force."""
        return words_of(
            self.language,
            Changed(
                date_format=self.date_format,
                date_format_year=self.date_format_year,
                separator=self.separator,
                texts=_given(self.texts),
                health=_given(self.health),
                health_inline=_given(self.health_inline),
                status=_given(self.status),
                status_inline=_given(self.status_inline),
            ),
        )


def _given(block: Block) -> dict[str, str]:
    return block.model_dump(exclude_none=True)
