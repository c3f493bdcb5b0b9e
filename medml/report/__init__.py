"""A run as a reader needs it: PDF, Word, model card, with the TRIPOD+AI and CLAIM checklists filled from the run."""
