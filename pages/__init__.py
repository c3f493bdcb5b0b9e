"""The screens. A file here is a page; a name that begins with "_" is shared drawing."""
