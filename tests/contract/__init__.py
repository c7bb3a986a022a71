"""What others rely on: the bytes on the wire, the seams of libraries."""
