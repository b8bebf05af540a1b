"""What a row is and what happened: vocabulary, tables, reader, check, configuration, simulator."""
