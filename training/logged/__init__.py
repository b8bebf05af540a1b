"""What a log of decisions can answer: who drew what with which chance, where actions overlap, effects and their bounds."""
