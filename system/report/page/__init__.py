"""report.html: one file that holds everything it needs.

``assemble`` puts it together from the frame and the sections. A section is a module and a template
of the same name: the module makes the rows and charts, the template says where they stand.
``frame.html`` is the page around them, ``macros.html`` how a table, a chart and a card look,
``style.css`` and ``page.js`` the page's own style and script.
"""

from system.report.page.assemble import page

__all__ = ["page"]
