/* SPDX-License-Identifier: Apache-2.0 */
/* What templates are filled with, from the rows of the program, on standard output. */
#ifndef MRL_PAGES_PAGES_H
#define MRL_PAGES_PAGES_H

/** Every verb with its options, as roff. */
void mrl_pages__verbs(void);

/** Every destination of an output with its settings, as roff. */
void mrl_pages__destinations(void);

/** Every profile, as roff. */
void mrl_pages__profiles(void);

/** The keys of the configuration file, as roff. */
void mrl_pages__keys(void);

/** The words of each verb and option, as branches of a case of bash. */
void mrl_pages__completion(void);

/** The JSON Schema (draft 7) of the configuration file. */
void mrl_pages__config_schema(void);

/** Which field is where in each shape, and what shapes call the events: tables in Markdown. */
void mrl_pages__shape_fields(void);
void mrl_pages__shape_words(void);

/** What each outcome means and when it is said: a table in Markdown. */
void mrl_pages__outcomes(void);

/** The words of a recorded release as the table shows it to a terminal, as elements of SVG. */
void mrl_pages__picture(void);

#endif
