"""Writes every generated file of this folder."""

from deploy.observability import write

if __name__ == "__main__":
    for path in write.everything():
        print(path)
