"""Tests of campaigns: their samples and checklists."""
