# tensorport's server. Build for a CPU or, with --build-arg TENSORFLOW_VARIANT=gpu, for NVIDIA GPUs (the driver comes with the host):
#   docker build -t tensorport .
#   docker run -p 8501:8501 tensorport                              serves the models of the image
#   docker run -p 8501:8501 -v ./models:/app/models:ro tensorport   serves those of a folder
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
ARG TENSORFLOW_VARIANT=cpu
ENV TENSORFLOW_VARIANT=${TENSORFLOW_VARIANT} XDG_CACHE_HOME=/cache
WORKDIR /app
# libtensorflow first: it changes least and takes longest.
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
RUN node scripts/setup.mjs --for library
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY models models
RUN node scripts/setup.mjs --for start \
 && npm prune --omit=dev --no-audit --no-fund \
 && find node_modules -type d -empty -delete \
 && find dist -name '*.map' -delete \
 && rm -rf dist/training dist/recipes dist/.tsbuildinfo /cache/tensorport/tensorflow-*/include \
 && find /cache/tensorport -mindepth 1 -maxdepth 1 ! -name 'tensorflow-*' ! -name 'kernels-*' -exec rm -rf {} +

FROM ${NODE_IMAGE}
WORKDIR /app
ENV NODE_ENV=production XDG_CACHE_HOME=/opt
COPY --from=build /cache/tensorport /opt/tensorport
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/scripts scripts
COPY --from=build /app/dist dist
COPY --from=build --chown=node:node /app/models models
USER node
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8501}/health/ready`).then(reply => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "scripts/serve.mjs"]
