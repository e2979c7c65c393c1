/**
 * onnxruntime-node reports to its makers from version 1.30 on, unless this is set before it is loaded. Set on the main
 * thread, it holds for all of a process: threads have copies of `process.env` that native code does not see.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
