# The caller hands over the facts: `subject`, `dossier` with its ties, and `document` or `documents`.
package dmp.handed

import data.dmp.rules

opening := rules.opening(input.subject, input.dossier)

allow := rules.shows(opening, input.document)

answers := [rules.shows(opening, document) | some document in input.documents]
