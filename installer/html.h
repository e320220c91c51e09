/* installer/html.h - a page of HTML that needs nothing else, and tells nobody's name
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** A page that is being written. */
typedef struct HtmlPage HtmlPage;

/** @home: (nullable): shown as "~" wherever it stands in a text. */
HtmlPage *html_page_new(const char *home);
void html_page_free(HtmlPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlPage, html_page_free)

/** From here on texts show @shown where @word stands by itself.  @shown: static storage. */
void html_hide(HtmlPage *page, const char *word, const char *shown);

/** From here on texts show @shown in the place of the name that follows @front: "/home/" and "USER" make
 *  "/home/USER" of "/home/ana".  Both: static storage. */
void html_hide_name(HtmlPage *page, const char *front, const char *shown);

/** Writes all that comes before the first paragraph.  @style: CSS beyond what every page has. */
void html_begin(HtmlPage *page, const char *title, const char *style);

/** Writes markup of ours. */
void html_markup(HtmlPage *page, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Writes a text of this program's own: no markup, but nothing of it is hidden. */
void html_own(HtmlPage *page, const char *text);

/** Writes text from anywhere: secrets masked, names hidden, no control characters, no markup. */
void html_text(HtmlPage *page, const char *text);

/** As html_text() within an element: "small" or "p class=\"bad\"". */
void html_element(HtmlPage *page, const char *tag, const char *text);

/** Returns: (transfer full): the whole page; nothing can be written to it any more. */
char *html_end(HtmlPage *page);

/** Returns: false with CANNOT_CREATE set when the file of --html could not be written: nothing but a file
 *  is replaced, in a directory that this user can write. */
bool html_check_place(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
