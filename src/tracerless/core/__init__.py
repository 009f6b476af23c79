"""The ground: values, errors, recipes, and maps between spaces."""
