// What the operating system calls a failure.

internal import Glibc

/// `[13] Permission denied`. `number`: as in errno.
public func systemMessage(_ number: Int32) -> String { "[\(number)] \(String(cString: strerror(number)))" }
