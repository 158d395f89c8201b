/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum status wake_init(struct wake *wake, struct error *err) {
    int ends[2];
    if (pipe(ends) != 0)
        return error_set(err, STATUS_IO, "pipe: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        (void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
        (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    }
    *wake = (struct wake){ends[0], ends[1]};
    return STATUS_OK;
}

void wake_release(struct wake *wake) {
    (void)close(wake->read_end);
    (void)close(wake->write_end);
}

void wake_wait(struct wake *wake, int timeout_ms) {
    struct pollfd waited = {.fd = wake->read_end, .events = POLLIN};
    if (poll(&waited, 1, timeout_ms) <= 0)
        return;
    char bytes[512];
    while (read(wake->read_end, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
        continue;
}

void wake_now(struct wake *wake) {
    /* A full pipe wakes as well as one byte more. */
    ssize_t written = write(wake->write_end, "w", 1);
    (void)written;
}
