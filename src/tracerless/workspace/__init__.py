"""The only hand that opens a dataset; it knows what is done already."""
