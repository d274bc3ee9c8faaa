//! Which elements of a page are not its content.

/// What of a start tag matters here.
#[derive(Debug, Default)]
pub(super) struct Tag {
    pub(super) name: Vec<u8>,
    pub(super) class: Vec<u8>,
    pub(super) id: Vec<u8>,
    pub(super) role: Vec<u8>,
    pub(super) start: Vec<u8>,
    /// `hidden`, `aria-hidden="true"` or a style that hides.
    pub(super) hidden: bool,
}

/// Elements whose text nobody reads in the page. Cut out always.
const UNSEEN: &[&[u8]] = &[
    b"audio",
    b"button",
    b"canvas",
    b"datalist",
    b"iframe",
    b"noframes",
    b"noscript",
    b"object",
    b"script",
    b"select",
    b"style",
    b"svg",
    b"template",
    b"textarea",
    b"video",
];

/// Classes and ids of what surrounds the content, in the manuals and pages of the world (`DocBook`, Sphinx, `MkDocs`).
const SURROUNDINGS: &[&[u8]] = &[
    b"breadcrumb",
    b"breadcrumbs",
    b"footer",
    b"headerlink",
    b"nav",
    b"navbar",
    b"navfooter",
    b"navheader",
    b"navigation",
    b"related",
    b"sidebar",
    b"site-footer",
    b"skip-link",
    b"sphinxsidebar",
    b"toc",
];

/// WAI-ARIA roles of the same.
const ROLES: &[&[u8]] = &[b"banner", b"contentinfo", b"menu", b"menubar", b"navigation", b"search"];

/// Whether the element's content is to be left out. `in_main`: the page's main part is open.
pub(super) fn is_noise(tag: &Tag, drop_surroundings: bool, in_main: bool) -> bool {
    let name = tag.name.as_slice();
    if UNSEEN.contains(&name) || tag.hidden {
        return true;
    }
    if !drop_surroundings || matches!(name, b"body" | b"html" | b"main") {
        return false;
    }
    matches!(name, b"nav" | b"menu" | b"dialog")
        || name == b"footer" && !in_main
        || ROLES.contains(&tag.role.as_slice())
        || tag.class.split(u8::is_ascii_whitespace).any(|class| SURROUNDINGS.contains(&class))
        || SURROUNDINGS.contains(&tag.id.as_slice())
}

/// Whether the element is the page's main part.
pub(super) fn is_main(tag: &Tag) -> bool {
    tag.name == b"main" || tag.role == b"main"
}

/// Elements that have no end tag (WHATWG HTML, 13.1.2).
pub(super) fn is_void(name: &[u8]) -> bool {
    matches!(
        name,
        b"area"
            | b"base"
            | b"br"
            | b"col"
            | b"embed"
            | b"hr"
            | b"img"
            | b"input"
            | b"link"
            | b"meta"
            | b"source"
            | b"track"
            | b"wbr"
    )
}

/// Whether a `style` attribute takes the element out of sight.
pub(super) fn hides(style: &[u8]) -> bool {
    let style: Vec<u8> =
        style.iter().filter(|b| !b.is_ascii_whitespace()).map(u8::to_ascii_lowercase).take(4096).collect();
    let has = |needle: &[u8]| style.windows(needle.len()).any(|window| window == needle);
    has(b"display:none") || has(b"visibility:hidden")
}
