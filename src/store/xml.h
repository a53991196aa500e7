/*-------------------------------------------------------------------------
 *
 * xml.h
 *	  The XML that S3 answers with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_XML_H
#define DELTATX_XML_H

/*
 * Takes an element that has ended: its name and its parents', joined by '/',
 * and the text directly in it.  Both are valid during the call only.
 */
typedef void (*XmlElement) (const char *path, const char *text, void *arg);

/* False: this is not a whole XML document; elements before the fault were delivered. */
extern bool deltatx_xml_read(const char *document, size_t size, XmlElement element, void *arg);

#endif							/* DELTATX_XML_H */
