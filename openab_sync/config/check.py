"""From a document to a `Config`: every key known, every value of its kind, every `${NAME}` filled in.

The structs of `schema.py` are walked together with the data, so that each complaint names its key, its line, what was
expected and what was found. The first fault found is the one reported. Sections that are accepted but not used yet are
not looked into, so that a variable missing there hurts nobody. Pure.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from .document import Document, dotted, shown
from .kinds import Id
from .lines import Path
from .schema import NOT_USED_YET, SYNONYMS, Config
from .secrets import REFERENCE

__all__ = ["check", "given"]

T = TypeVar("T")

_NAME = re.compile(r"\w+", re.ASCII)


def check(
    document: Document, environ: Mapping[str, str], without: Collection[str] = ()
) -> tuple[Config, tuple[str, ...]]:
    """Return the configuration that `document` describes, and one warning for each thing in it that is not used yet.

    Sections named in `without` are not looked into and stay as they are by default: a command that does not need one
    does not fail for a variable missing there. Raise ConfigError for the first thing that is wrong.
    """
    walk = _Walk(document, environ, without)
    config = walk.read(document.data, Config, ())
    assert isinstance(config, Config)
    return config, tuple(walk.warnings)


class _Walk:
    def __init__(self, document: Document, environ: Mapping[str, str], without: Collection[str]) -> None:
        self._document, self._environ, self._without = document, environ, without
        self.warnings: list[str] = []

    def read(self, value: object, kind: Any, path: Path) -> object:
        """Return `value` as a `kind`; `kind` is a type as schema.py writes them (the only `Any` here is a type)."""
        kind = given(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._table(self._demand(value, dict, "a table", path), kind, path)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is tuple:
            items = self._demand(value, list, "an array", path)
            return tuple(self.read(item, arguments[0], (*path, index)) for index, item in enumerate(items))
        if origin is dict:
            table = self._demand(value, dict, "a table", path)
            return {key: self.read(item, arguments[1], (*path, key)) for key, item in table.items()}
        return self._leaf(value, kind, path)

    def _demand(self, value: object, kind: type[T], words: str, path: Path) -> T:
        if not isinstance(value, kind):
            raise self._document.error(path, f"expected {words}, found {shown(value, path)}")
        return value

    # ---- tables ----

    def _table(self, table: dict[str, object], kind: type[msgspec.Struct], path: Path) -> msgspec.Struct:
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        values: dict[str, object] = {}
        for key, value in table.items():
            if not path and key in self._without:
                continue
            if key in fields:
                values[key] = self.read(value, fields[key].type, (*path, key))
            elif dotted((*path, key)) in NOT_USED_YET:
                self._not_used(value, (*path, key))
            else:
                raise self._document.error((*path, key), "no such key", _nearest(key, fields, path))
        for name, field in fields.items():
            if field.required and name not in values:
                raise self._document.error(path, f"{name} is missing")
        try:
            return kind(**values)
        except ValueError as error:  # what a struct says about how its keys go together
            raise self._document.error(path, str(error)) from error

    def _not_used(self, value: object, path: Path) -> None:
        name = f"[{dotted(path)}]" if isinstance(value, dict | list) else dotted(path)
        self.warnings.append(f"{name} is accepted, but not used yet")

    # ---- values ----

    def _leaf(self, value: object, kind: Any, path: Path) -> object:
        filled = self._fill_in(value, path) if isinstance(value, str) else value
        if isinstance(filled, str) and "\0" in filled:  # no program, path or variable can hold one
            raise self._document.error(path, "holds a null character")
        if get_origin(kind) is Literal and isinstance(filled, str):
            filled = _choice(filled, get_args(kind), dotted(path))
        try:
            return msgspec.convert(filled, kind)
        except msgspec.ValidationError as error:
            message = f"expected {_words(kind)}, found {shown(value, path)}"
            # Too long for a number in many a program: what TOML still reads, the next tool may round.
            hint = f'in quotes: "{value}"' if kind == Id and type(value) is int and 0 < value < 2**64 else None
            raise self._document.error(path, message, hint) from error

    def _fill_in(self, text: str, path: Path) -> str:
        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if name is None:
                return "${"
            if not _NAME.fullmatch(name):
                hint = "a literal ${ is written $${"
                found = shown(match.group(), path).strip('"')  # on one line, and a secret not at all
                raise self._document.error(path, f"{found} is not a variable", hint)
            if name not in self._environ:
                raise self._document.error(path, f"the environment variable {name} is not set")
            return self._environ[name]

        return REFERENCE.sub(replace, text)


def _choice(word: str, choices: Iterable[str], key: str) -> str:
    """OpenAB takes its choices in any case, with `_` for `-`, and some by other words."""
    plain = word.lower().replace("_", "-")
    plain = SYNONYMS.get(key, {}).get(plain, plain)
    return plain if plain in choices else word


def given(kind: Any) -> Any:
    """Return what a key of this kind holds when it is given: TOML has no word for "none"."""
    parts = [part for part in get_args(kind) if part is not type(None)]
    is_optional = get_origin(kind) in (Union, types.UnionType) and len(parts) == 1
    return parts[0] if is_optional else kind


# ---- words for people ----


def _words(kind: Any) -> str:
    """Say what values `kind` takes."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(part) for part in arguments)
    if origin is Annotated:
        plain, meta = arguments
        if meta.pattern:
            return "an id, a string of digits"
        return "a non-empty string" if meta.min_length else f"{_words(plain)} {_range(meta)}"
    return {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}[kind]


def _range(meta: msgspec.Meta) -> str:
    start = f"above {meta.gt:g}" if meta.ge is None else f"from {meta.ge:g}"
    return f"{start} up to {meta.le:.0f}"


def _nearest(key: str, fields: Iterable[str], path: Path) -> str | None:
    """Suggest the right name, or the section in which this very name is at home."""
    for section in msgspec.structs.fields(Config):
        if (section.name,) != path and key in given(section.type).__struct_fields__:
            return f"it belongs into [{section.name}]"
    unused = (name.rpartition(".") for name in NOT_USED_YET)
    here = [*fields, *(name for parent, _, name in unused if parent == dotted(path))]
    close = difflib.get_close_matches(key, here, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(fields))}"
