"""The risk of future dementia: absolute, by years, with death as a rival."""
