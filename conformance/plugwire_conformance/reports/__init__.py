"""Every form in which a `Report` is shown or kept. Each module makes one form, from the report and nothing else."""
