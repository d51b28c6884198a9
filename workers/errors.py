"""What goes wrong with a model."""


class ModelError(Exception):
    """A model that is not run: where it lies, what was found, and what would have been right."""


class TrainingError(Exception):
    """A run that cannot begin or go on, and why."""
