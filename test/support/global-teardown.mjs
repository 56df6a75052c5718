export default () => {
  globalThis.__VALKEY__?.disconnect();
};
