"""What is seen of a running stack, held against docs/openapi.yaml and docs/asyncapi.yaml.

Each part raises at once when something is not as described, and keeps what was seen, so that a test can ask in the
end what is described and was never seen.
"""
