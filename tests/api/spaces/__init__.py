"""Tests of the documents of a dossier: how they are listed, found, contested and replaced."""
