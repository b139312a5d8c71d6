"""Whether bytes are XML, told while they arrive: the only importer of `defusedxml`.

A document type, an entity or a reference to something outside ends the reading, as does whatever would make it hold
more than a few megabytes however long the content is: names without number, depth, one endless token.
"""

from collections.abc import Mapping
from xml.parsers.expat import XMLParserType
from xml.sax import SAXException  # the class of errors alone; what reads is defusedxml
from xml.sax.handler import feature_string_interning

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

_MOST_NAMES = 20_000
_MOST_DEPTH = 500
_LONGEST_TOKEN = 1024 * 1024
_SEPARATOR = " "  # between a namespace and a name, in the names that the reader is told


class XmlFault(ValueError):  # noqa: N818 - a reason among others, told by whoever asked
    """These bytes are no XML that is taken."""


class XmlCheck(DefusedExpatParser):
    """One reading. Give it every piece with `take`, then call `finish`; either raises XmlFault."""

    _parser: XMLParserType

    def __init__(self, root: str | None = None) -> None:
        super().__init__(namespaceHandling=1, forbid_dtd=True)
        self.setFeature(feature_string_interning, True)  # so that the names which the library keeps can be counted
        self._root = root
        self._depth = self._declared = self._fed = 0

    def reset(self) -> None:
        """Called by the library before the first byte: only what is counted calls back, the rest is passed over."""
        super().reset()
        parser = self._parser
        parser.namespace_prefixes = False
        parser.CharacterDataHandler = parser.ProcessingInstructionHandler = parser.EndNamespaceDeclHandler = None
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.StartNamespaceDeclHandler, parser.XmlDeclHandler = self._declare, self._told

    def take(self, piece: bytes) -> None:
        """The next bytes."""
        self._fed += len(piece)
        self._read(piece)
        if self._fed - self._parser.CurrentByteIndex > _LONGEST_TOKEN + len(piece):
            raise XmlFault
        if len(self._parser.intern) + self._declared > _MOST_NAMES:
            raise XmlFault

    def finish(self) -> None:
        """Nothing comes after. Raises XmlFault if the document is not closed."""
        if not self._fed:
            raise XmlFault
        try:
            self.close()
        except (SAXException, DefusedXmlException):
            raise XmlFault from None

    def _read(self, piece: bytes) -> None:
        try:
            self.feed(piece)
        except (SAXException, DefusedXmlException):
            raise XmlFault from None

    def _begin(self, name: str, _attributes: Mapping[str, str]) -> None:
        if not self._depth and self._root not in {None, name}:
            raise XmlFault
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise XmlFault

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _declare(self, _prefix: str | None, _namespace: str) -> None:
        self._declared += 1

    def _told(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() != "utf-8":
            raise XmlFault


def root(namespace: str, name: str) -> str:
    """An element as XmlCheck names it."""
    return f"{namespace}{_SEPARATOR}{name}"
