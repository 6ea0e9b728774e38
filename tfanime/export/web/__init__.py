"""A folder that draws in the browser: model files, site, the server to look at it."""
