"""MedML: from a folder of clinical data to a model whose numbers a reviewer would believe."""
