"""docs/openapi.yaml and docs/asyncapi.yaml are what a running system does: all that they describe is seen, no more."""
