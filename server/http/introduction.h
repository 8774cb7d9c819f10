/*
 * introduction.h - the PROXY header with which a trusted proxy may begin a connection: looked at while it lies in the kernel, and taken
 * from there with no byte of what follows.
 */
#ifndef HTTP_INTRODUCTION_H
#define HTTP_INTRODUCTION_H

#include <sys/socket.h>

enum introduced {
    INTRODUCED_LATER,  /* more must come first; the socket is readable when it has */
    INTRODUCED_CLIENT, /* whom the proxy brings */
    INTRODUCED_SELF, /* the proxy speaks for itself: no header, or one that tells of nobody else */
    INTRODUCED_BADLY, /* a header that cannot be understood */
    INTRODUCED_GONE,  /* the proxy has hung up before it was whole */
};

/* Never waits. After INTRODUCED_CLIENT and _SELF the next byte to be read is the first behind the header. */
enum introduced introduction_take(int fd, struct sockaddr_storage *client);

#endif
