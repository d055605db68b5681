"""Someone who reaches everything by Tab, the arrows, Space and Enter."""

from playwright.sync_api import FrameLocator, Locator, Page

MOST_STEPS = 200


class UnreachableByKeyboard(AssertionError):
    """Tab never came to what was looked for."""


class Keyboard:
    def __init__(self, page: Page) -> None:
        self._page = page

    def focus(self, target: Locator, *, frame: FrameLocator | None = None) -> None:
        """Press Tab until `target` has the focus, and assert that it is visible."""
        focused = target.and_((frame or self._page).locator(":focus"))
        for _ in range(MOST_STEPS):
            if focused.count():
                assert target.is_visible() or target.locator("..").is_visible()
                return
            self.press("Tab")
        raise UnreachableByKeyboard(str(target))

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)

    def type(self, text: str) -> None:
        self._page.keyboard.type(text)

    def follow(self, target: Locator, *, frame: FrameLocator | None = None) -> None:
        """Go through a link or a button to the page behind it."""
        self.focus(target, frame=frame)
        with self._page.expect_navigation():
            self.press("Enter")

    def link(self, name: str) -> None:
        self.follow(self._page.get_by_role("link", name=name).first)

    def button(self, name: str) -> None:
        self.follow(self._page.get_by_role("button", name=name).first)

    def tick(self, checkbox: Locator) -> None:
        self.focus(checkbox)
        self.press("Space")
        assert checkbox.is_checked()

    def choose(self, group: Locator, option: Locator, arrow: str) -> None:
        """Go to the chosen one of a group of radio buttons, then on to `option`."""
        self.focus(group.and_(self._page.locator(":checked")).first)
        for _ in range(group.count()):
            if option.is_checked():
                return
            self.press(arrow)
        assert option.is_checked()
