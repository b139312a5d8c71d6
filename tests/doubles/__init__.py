"""Doubles that play what cannot be had on order: attackers, outages, clocks."""
