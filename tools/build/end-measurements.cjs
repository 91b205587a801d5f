// prom-client measures garbage collection and the lag of the event loop, and never ends it. A
// worker would keep the modules of each spec file, and wake up a hundred times a second for each.
const perf = require('node:perf_hooks');

const observers = new Set();
const histograms = new Set();
const { observe } = perf.PerformanceObserver.prototype;
const { monitorEventLoopDelay } = perf;

perf.PerformanceObserver.prototype.observe = function (options) {
  observers.add(this);
  return observe.call(this, options);
};
perf.monitorEventLoopDelay = (options) => {
  const histogram = monitorEventLoopDelay(options);
  histograms.add(histogram);
  return histogram;
};

/** Ends what was measured since the last call. */
function endMeasurements() {
  for (const observer of observers) observer.disconnect();
  for (const histogram of histograms) histogram.disable();
  observers.clear();
  histograms.clear();
}

module.exports = { endMeasurements };
