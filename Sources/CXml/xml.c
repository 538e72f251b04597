#include "CXml.h"
#include <CSystem.h>
#include <libxml/parser.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512];

#define FUNCTIONS(USE)              \
    USE(xmlInitParser)              \
    USE(xmlCreatePushParserCtxt)    \
    USE(xmlCtxtUseOptions)          \
    USE(xmlParseChunk)              \
    USE(xmlCtxtGetLastError)        \
    USE(xmlFreeDoc)                 \
    USE(xmlFreeParserCtxt)

static struct {
#define DECLARE(name) __typeof__(&name) name;
    FUNCTIONS(DECLARE)
} xml;

static void load(void) {
#define SYMBOL(name) {#name, (void **)&xml.name},
    static const backstop_symbol symbols[] = {FUNCTIONS(SYMBOL)};
    backstop_load("libxml2.so.2", symbols, sizeof symbols / sizeof symbols[0], failure, sizeof failure);
    if (failure[0] != 0) return;
    xml.xmlInitParser();
}

const char *backstop_xml_load(void) {
    pthread_once(&once, load);
    return failure[0] == 0 ? NULL : failure;
}

struct reader {
    const backstop_xml_events *events;
    void *context;
};

static void start(
    void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces, const xmlChar **namespace_list,
    int attributes, int defaulted, const xmlChar **attribute_list) {
    (void)prefix, (void)uri, (void)namespaces, (void)namespace_list, (void)attributes, (void)defaulted, (void)attribute_list;
    struct reader *reader = user;
    reader->events->start(reader->context, (const char *)name);
}

static void end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
    (void)prefix, (void)uri;
    struct reader *reader = user;
    reader->events->end(reader->context, (const char *)name);
}

static void text(void *user, const xmlChar *bytes, int count) {
    struct reader *reader = user;
    reader->events->text(reader->context, (const char *)bytes, count);
}

static void ignore(void *user, xmlErrorPtr error) { (void)user, (void)error; }

int backstop_xml_parse(
    const char *bytes, int count, const backstop_xml_events *events, void *context, char *problem, size_t problem_size) {
    struct reader reader = {events, context};
    // Handlers that are missing here make no tree and resolve no entity but the five predefined ones.
    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = start;
    handler.endElementNs = end;
    handler.characters = text;
    handler.cdataBlock = text;
    // Or blanks between two elements would be told from text, and a name that is a blank be lost.
    handler.ignorableWhitespace = text;
    handler.serror = ignore;

    xmlParserCtxtPtr parser = xml.xmlCreatePushParserCtxt(&handler, &reader, NULL, 0, NULL);
    if (parser == NULL) {
        snprintf(problem, problem_size, "out of memory");
        return -1;
    }
    xml.xmlCtxtUseOptions(parser, XML_PARSE_NONET);
    int result = xml.xmlParseChunk(parser, bytes, count, 1);
    if (result == 0 && !parser->wellFormed) result = -1;
    if (result != 0) {
        xmlErrorPtr error = xml.xmlCtxtGetLastError(parser);
        snprintf(problem, problem_size, "%s", error != NULL && error->message != NULL ? error->message : "not well-formed");
    }
    if (parser->myDoc != NULL) xml.xmlFreeDoc(parser->myDoc);
    xml.xmlFreeParserCtxt(parser);
    return result;
}
