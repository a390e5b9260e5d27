"""Tools: Python functions, built-ins and documents, checked, bounded and kept in their place."""
