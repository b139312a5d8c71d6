# The facts are in memory (`data.record`), and the caller names the subject and a document, documents, or a dossier.
package dmp.loaded

import data.dmp.rules

# As `input.document` names it.
allow := rules.shows(rules.opening(input.subject, dossier), dossier.documents[input.document]) if {
	dossier := data.record.dossiers[data.record.documents[input.document]]
}

# Documents of the dossier that `input.dossier` names.
opening := rules.opening(input.subject, data.record.dossiers[input.dossier])

answers := [rules.shows(opening, data.record.dossiers[input.dossier].documents[id]) | some id in input.documents]

listing := [id | some id, document in data.record.dossiers[input.dossier].documents; rules.shows(opening, document)]
