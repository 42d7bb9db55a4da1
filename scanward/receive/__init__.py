"""Receiving: what a door brings becomes single files for the gate; knows ports, no door and no adapter."""
