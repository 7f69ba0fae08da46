#pragma once

namespace espalier::runlog {

/// Requests and answers between ForeignH5 and its child, in this machine's byte order. A request is ForeignRequest; an
/// answer is ForeignAnswer and then `bytes` of payload.
enum class ForeignVerb : int { Bytes, Numbers, Texts };
struct ForeignRequest {
    ForeignVerb verb = ForeignVerb::Bytes;
    unsigned member = 0;
    long long first = 0, count = 0;
};
struct ForeignAnswer {
    int status = 0;  ///< 0 = values follow, else the text of a failure; see ForeignStatus
    unsigned long long bytes = 0;
};
enum ForeignStatus : int { kForeignOk = 0, kForeignNotHdf5 = 1, kForeignDamaged = 2, kForeignRefused = 3 };

/// The child's whole life: opens the file, sends the list of members, then answers requests until the socket closes.
/// Runs after fork, single-threaded, calls only HDF5 and read/write, and never returns to the caller's program.
[[noreturn]] void runForeignChild(const char* path, int socket);

}  // namespace espalier::runlog
