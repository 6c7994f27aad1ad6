"""What JupyterLab is given of a saved notebook: viewers without their kernel as the still pictures beside them.

A saved output holds a viewer twice, and JupyterLab prefers the live one, which it cannot show with another kernel.
"""

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from frozen_notebooks import STILL_TWINS, WIDGET_VIEW


class StillPictures(AsyncLargeFileManager):
    """Jupyter's files. A notebook that no kernel runs for is read without its widgets, where they have a twin."""

    async def get(self, path, content=True, type=None, format=None, **options):
        model = await super().get(path, content, type, format, **options)
        if content and model["type"] == "notebook" and not await self._has_kernel(path):
            for cell in model["content"]["cells"]:
                for output in cell.get("outputs", []):
                    bundle = output.get("data", {})
                    if STILL_TWINS & set(bundle):
                        bundle.pop(WIDGET_VIEW, None)
        return model

    async def _has_kernel(self, path: str) -> bool:
        sessions = await self.parent.session_manager.list_sessions()
        return path.strip("/") in {session["path"].strip("/") for session in sessions}
