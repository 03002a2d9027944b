"""The form of a site's rules: what each setting is, how it is typed, and how what was typed becomes rules."""
