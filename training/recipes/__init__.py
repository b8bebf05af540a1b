"""How models are learnt: one recipe a module, each from the same rows to a `Fitted`."""
