"""The documented import path of the de-identifier.

The complete list of what is removed is data: Table E.1-1 of PS3.15 with the action of each attribute, in
`scanward/deidentify/data/`, under the profiles in its folder `profiles/`.
"""

from scanward.deidentify.deidentifier import Deidentifier

__all__ = ["Deidentifier"]
